-- By which of our rules it is recommended; null for what others recommend.
ALTER TABLE countersign.recommendations ADD COLUMN rule text;
