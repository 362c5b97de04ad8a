"""The pages: Flask views that parse, call one function and show the result. No SQL, no rule of the survey is here."""
