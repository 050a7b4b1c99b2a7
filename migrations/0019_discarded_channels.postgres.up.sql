-- As in SQLite, where each table and column is explained.

ALTER TABLE messages DROP CONSTRAINT messages_channel_id_fkey;

CREATE TABLE discarded_channels (
    id BIGINT PRIMARY KEY
);

CREATE FUNCTION note_discarded_channel() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO discarded_channels (id) VALUES (OLD.id);
    RETURN NULL;
END
$$;

CREATE TRIGGER channel_discarded AFTER DELETE ON channels
FOR EACH ROW EXECUTE FUNCTION note_discarded_channel();

CREATE FUNCTION look_for_channel() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM channels WHERE id = NEW.channel_id) THEN
        RAISE foreign_key_violation USING MESSAGE = 'messages.channel_id';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER message_needs_channel BEFORE INSERT ON messages
FOR EACH ROW EXECUTE FUNCTION look_for_channel();
