"""What came of checks, for people (`text`), scripts (`data`), code scanning (`sarif`) and test reports (`junit`)."""
