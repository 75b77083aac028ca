-- Refusals go when no journey leaves people alone for them any more.
CREATE INDEX account_refusals_age ON account_refusals (refused_at);
