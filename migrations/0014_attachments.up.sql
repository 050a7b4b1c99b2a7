-- Files of messages: which message names which file. A file that no row names any more is deleted in time.
CREATE TABLE attachments (
    id INTEGER NOT NULL,
    message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    file TEXT NOT NULL,           -- JSON: the attachment as it was uploaded
    PRIMARY KEY (id, message_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX attachments_by_message ON attachments (message_id);
