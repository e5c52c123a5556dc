-- How a model does day by day, told by what people labelled, and whether it still sees what it was
-- deployed on.
ALTER TABLE countersign.ml_performance_metrics
  -- How many findings of the day people labelled that the model had spoken about.
  ADD COLUMN labels integer,
  -- Accuracy fell by more than document 004 allows since it was trained.
  ADD COLUMN degraded boolean,
  -- The features that changed since its first week, with how.
  ADD COLUMN shifted_features jsonb;
