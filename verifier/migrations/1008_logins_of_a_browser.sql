-- How many logins a browser has begun at one application is counted before the next begins.
CREATE INDEX login_transactions_browser ON login_transactions (browser_hash, client_id);
