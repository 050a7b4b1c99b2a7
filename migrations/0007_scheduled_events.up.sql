-- Events that guilds plan, and who is interested in them.

CREATE TABLE scheduled_events (
    id INTEGER PRIMARY KEY,
    guild_id INTEGER NOT NULL REFERENCES guilds (id) ON DELETE CASCADE,
    channel_id INTEGER REFERENCES channels (id) ON DELETE CASCADE, -- null: somewhere else
    creator_id INTEGER REFERENCES users (id) ON DELETE SET NULL,
    entity_type INTEGER NOT NULL, -- 1 stage, 2 voice, 3 external
    status INTEGER NOT NULL,      -- 1 scheduled, 2 active, 3 completed, 4 canceled
    end_ms INTEGER,
    extra TEXT NOT NULL
) STRICT;
CREATE INDEX scheduled_events_by_guild ON scheduled_events (guild_id, status);
CREATE INDEX scheduled_events_by_channel ON scheduled_events (channel_id);
CREATE INDEX scheduled_events_by_end ON scheduled_events (entity_type, status, end_ms);

CREATE TABLE scheduled_event_users (
    event_id INTEGER NOT NULL REFERENCES scheduled_events (id) ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (event_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX scheduled_event_users_by_user ON scheduled_event_users (user_id);
