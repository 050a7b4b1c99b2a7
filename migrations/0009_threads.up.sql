-- A thread is a channel (type 10 to 12) with a row beside it. The counts are as of `counted_id`: whoever reads them adds
-- the messages behind it, so that posting one writes nothing here.
CREATE TABLE threads (
    channel_id INTEGER PRIMARY KEY REFERENCES channels (id) ON DELETE CASCADE,
    guild_id INTEGER NOT NULL,
    parent_id INTEGER NOT NULL,
    owner_id INTEGER NOT NULL,
    archived INTEGER NOT NULL,
    archive_ms INTEGER NOT NULL,     -- when it was last archived or unarchived
    first_id INTEGER NOT NULL,       -- the message that it began with, which does not count; 0 for none
    message_count INTEGER NOT NULL,  -- without deleted ones
    deleted_count INTEGER NOT NULL,
    counted_id INTEGER NOT NULL
) STRICT;
CREATE INDEX threads_active ON threads (guild_id) WHERE archived = 0;
CREATE INDEX threads_by_archiving ON threads (parent_id, archived, archive_ms);
CREATE INDEX threads_by_parent ON threads (parent_id, channel_id);

-- Who leaves the guild leaves its threads.
CREATE TABLE thread_members (
    channel_id INTEGER NOT NULL REFERENCES threads (channel_id) ON DELETE CASCADE,
    user_id INTEGER NOT NULL,
    guild_id INTEGER NOT NULL,
    joined_ms INTEGER NOT NULL,
    PRIMARY KEY (channel_id, user_id),
    FOREIGN KEY (guild_id, user_id) REFERENCES members (guild_id, user_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX thread_members_by_user ON thread_members (guild_id, user_id);

-- A guild may have many more threads than channels.
DROP INDEX channels_by_guild;
CREATE INDEX channels_by_guild ON channels (guild_id, type);
