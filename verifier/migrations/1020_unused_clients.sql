-- Whether anybody ever agreed to an application: one that came without a token goes where nobody did.
CREATE INDEX consents_client ON consents (client_id);
CREATE INDEX login_transactions_client ON login_transactions (client_id);
