"""A small internet on this machine: name servers, companies' websites and registers, for the demo and for tests.

Its names get addresses that look public, so that everything up to the connection runs as in production. Only the dialer
of this package maps those addresses to servers on the loopback interface.
"""
