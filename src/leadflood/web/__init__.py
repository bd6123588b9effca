"""The web application: pages for people, rendered on the server, over the same domains as the API."""
