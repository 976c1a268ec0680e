"""How the tables came to be: `env` runs the steps in `versions`, in a transaction that the caller began."""
