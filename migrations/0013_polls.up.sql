-- Polls: their question and answers are part of the message.

CREATE TABLE open_polls (
    message_id INTEGER PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
    ends_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX open_polls_by_end ON open_polls (ends_ms);

CREATE TABLE poll_votes (
    message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES users (id),
    answer_id INTEGER NOT NULL,
    PRIMARY KEY (message_id, user_id, answer_id)
) STRICT, WITHOUT ROWID;
