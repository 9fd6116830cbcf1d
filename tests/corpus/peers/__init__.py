"""Programs that answer the questions of the corpus with other Python libraries."""
