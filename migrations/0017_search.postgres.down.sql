DROP TRIGGER search_message_deleted ON messages;
DROP TRIGGER search_message_edited ON messages;
DROP FUNCTION search_note_stale;
DROP TABLE search_stale;
DROP TABLE search_words;
DROP TABLE search_terms;
DROP TABLE search_messages;
DROP TABLE search_state;
