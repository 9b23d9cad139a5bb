"""The measures of the minimizer, and of what else there is, in one table."""
