ALTER TABLE journal RENAME COLUMN body TO message;
-- What remembers nothing of the events that are forgotten starts anew.
UPDATE journal SET name = '', message = '' WHERE name NOT IN ('MESSAGE_CREATE', 'MESSAGE_UPDATE', 'MESSAGE_DELETE');
DROP INDEX messages_pinned;
ALTER TABLE messages DROP COLUMN pinned_ms;
DROP TABLE reactions;
