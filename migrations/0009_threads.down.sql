DELETE FROM channels WHERE type IN (10, 11, 12);
DROP INDEX channels_by_guild;
CREATE INDEX channels_by_guild ON channels (guild_id);
DROP TABLE thread_members;
DROP TABLE threads;
