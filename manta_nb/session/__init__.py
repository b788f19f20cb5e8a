"""Where the parts are put together: nodes with data, the runs on them, and all that a person looks at."""
