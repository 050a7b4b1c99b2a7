DROP TABLE gateway_sessions;
DROP TABLE journal;
