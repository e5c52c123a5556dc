-- Which file of the repository declares what, where whoever reads it knows.
ALTER TABLE countersign.iac_resources
  ADD COLUMN declared_in text;
