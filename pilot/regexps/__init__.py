"""Regular expressions of tenants: a subset that means the same to every collector."""
