"""Changes of one's e-mail address: they take effect once a link in a mail to the new address is confirmed."""
