-- Written in SQLite's types; the PostgreSQL adapter reads INTEGER as BIGINT and BLOB as BYTEA, and drops STRICT and
-- WITHOUT ROWID. Ids are snowflakes made by the application. Times are milliseconds since 1970. Booleans are 0 or 1.
-- `extra` is JSON: the fields that no query looks at.

CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    username TEXT NOT NULL,
    discriminator TEXT NOT NULL,
    login TEXT UNIQUE,            -- the lower-cased name a person logs in with; null for bots
    email TEXT UNIQUE,
    bot INTEGER NOT NULL,
    disabled INTEGER NOT NULL DEFAULT 0,
    extra TEXT NOT NULL
) STRICT;

CREATE TABLE passwords (
    user_id INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    hash TEXT NOT NULL
) STRICT;

-- One row per login; its refresh tokens are one family.
CREATE TABLE logins (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    revoked_ms INTEGER
) STRICT;
CREATE INDEX logins_by_user ON logins (user_id);
CREATE INDEX logins_by_expiry ON logins (expires_ms);

CREATE TABLE refresh_tokens (
    hash BLOB PRIMARY KEY,        -- SHA-256 of the token
    login_id INTEGER NOT NULL REFERENCES logins (id) ON DELETE CASCADE,
    used_ms INTEGER
) STRICT;
CREATE INDEX refresh_tokens_by_login ON refresh_tokens (login_id);

-- A bot's user has the id of its application.
CREATE TABLE applications (
    id INTEGER PRIMARY KEY,
    owner_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    flags INTEGER NOT NULL,
    token_hash BLOB UNIQUE,       -- SHA-256 of the bot's token
    extra TEXT NOT NULL
) STRICT;
CREATE INDEX applications_by_owner ON applications (owner_id);

CREATE TABLE guilds (
    id INTEGER PRIMARY KEY,
    owner_id INTEGER NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    extra TEXT NOT NULL
) STRICT;

CREATE TABLE roles (
    id INTEGER PRIMARY KEY,
    guild_id INTEGER NOT NULL REFERENCES guilds (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    position INTEGER NOT NULL,
    permissions INTEGER NOT NULL,
    extra TEXT NOT NULL
) STRICT;
CREATE INDEX roles_by_guild ON roles (guild_id);

CREATE TABLE channels (
    id INTEGER PRIMARY KEY,
    guild_id INTEGER REFERENCES guilds (id) ON DELETE CASCADE,
    type INTEGER NOT NULL,
    name TEXT,
    position INTEGER NOT NULL,
    parent_id INTEGER,
    extra TEXT NOT NULL
) STRICT;
CREATE INDEX channels_by_guild ON channels (guild_id);

CREATE TABLE overwrites (
    channel_id INTEGER NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    target_id INTEGER NOT NULL,
    type INTEGER NOT NULL,        -- 0 role, 1 member
    allow INTEGER NOT NULL,
    deny INTEGER NOT NULL,
    PRIMARY KEY (channel_id, target_id)
) STRICT, WITHOUT ROWID;

-- The one channel between two people, the smaller id first.
CREATE TABLE direct_channels (
    low_user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    high_user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    channel_id INTEGER NOT NULL UNIQUE REFERENCES channels (id) ON DELETE CASCADE,
    PRIMARY KEY (low_user_id, high_user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX direct_channels_by_high ON direct_channels (high_user_id);

CREATE TABLE members (
    guild_id INTEGER NOT NULL REFERENCES guilds (id) ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    joined_ms INTEGER NOT NULL,
    extra TEXT NOT NULL,
    PRIMARY KEY (guild_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_by_user ON members (user_id);

CREATE TABLE member_roles (
    guild_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    role_id INTEGER NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
    PRIMARY KEY (guild_id, user_id, role_id),
    FOREIGN KEY (guild_id, user_id) REFERENCES members (guild_id, user_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX member_roles_by_role ON member_roles (role_id);

CREATE TABLE messages (
    id INTEGER PRIMARY KEY,
    channel_id INTEGER NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    author_id INTEGER NOT NULL REFERENCES users (id),
    type INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    content TEXT NOT NULL,
    edited_ms INTEGER,
    nonce TEXT,                   -- only where the sender asked for it to be enforced
    extra TEXT NOT NULL
) STRICT;
CREATE INDEX messages_by_channel ON messages (channel_id, id);

CREATE TABLE invites (
    code TEXT PRIMARY KEY,
    guild_id INTEGER NOT NULL REFERENCES guilds (id) ON DELETE CASCADE,
    channel_id INTEGER NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    inviter_id INTEGER REFERENCES users (id) ON DELETE SET NULL,
    created_ms INTEGER NOT NULL,
    max_age_s INTEGER NOT NULL,   -- 0: never expires
    max_uses INTEGER NOT NULL,    -- 0: no limit
    uses INTEGER NOT NULL,
    temporary INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX invites_by_guild ON invites (guild_id);
CREATE INDEX invites_by_channel ON invites (channel_id);
