"""Every page: layout, security headers, health, the server and the database helper."""
