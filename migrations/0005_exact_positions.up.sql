-- Sessions count their events in the order of commits, whatever shards of the bus they come through. Those noted before
-- may have counted otherwise: after a stop in order what they counted is not told again, after a crash they are lost.
DELETE FROM gateway_sessions WHERE clean = 0;
UPDATE gateway_sessions SET base_position = position;
-- Whether the commit at `position` has been counted with all of its events, not only with some.
ALTER TABLE gateway_sessions RENAME COLUMN clean TO exact;
