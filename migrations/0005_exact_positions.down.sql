ALTER TABLE gateway_sessions RENAME COLUMN exact TO clean;
UPDATE gateway_sessions SET clean = 0;
