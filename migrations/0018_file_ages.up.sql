-- The age at which messages lose their files; null: never.
ALTER TABLE retention ADD COLUMN files_s INTEGER;

-- The channel of the message, whose oldest files are looked for.
ALTER TABLE attachments ADD COLUMN channel_id INTEGER NOT NULL DEFAULT 0;
UPDATE attachments SET channel_id = (SELECT m.channel_id FROM messages m WHERE m.id = attachments.message_id);
CREATE INDEX attachments_by_channel ON attachments (channel_id, message_id);
