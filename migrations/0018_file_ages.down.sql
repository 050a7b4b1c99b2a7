DROP INDEX attachments_by_channel;
ALTER TABLE attachments DROP COLUMN channel_id;
ALTER TABLE retention DROP COLUMN files_s;
