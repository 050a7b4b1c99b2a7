-- Custom emojis and stickers. The image is stored under the id.
CREATE TABLE emojis (
    id INTEGER PRIMARY KEY,
    guild_id INTEGER REFERENCES guilds (id) ON DELETE CASCADE,  -- this or the next
    application_id INTEGER REFERENCES applications (id) ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES users (id),             -- who made it
    name TEXT NOT NULL,
    extra TEXT NOT NULL
) STRICT;
CREATE INDEX emojis_by_guild ON emojis (guild_id);
CREATE INDEX emojis_by_application ON emojis (application_id);

CREATE TABLE stickers (
    id INTEGER PRIMARY KEY,
    guild_id INTEGER NOT NULL REFERENCES guilds (id) ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    extra TEXT NOT NULL
) STRICT;
CREATE INDEX stickers_by_guild ON stickers (guild_id);
