"""The pages: Flask views that parse, call one function and show the result. No SQL and no rule of the survey is here."""
