"""The only way out of LEAD-FLOOD for HTTP requests, DNS lookups and connections to servers of others.

What a user or a web page supplies must not make this machine talk to itself or to its neighbors (server-side request
forgery). So every address that a name resolves to is checked before a connection is opened to exactly that address,
redirects are followed one by one through the same checks, and time, size and decompression are limited.
"""
