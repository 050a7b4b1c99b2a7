DROP TABLE relationships;
DROP TABLE mentions;
DROP TABLE read_states;
