"""FEDn's network, as far as a program or a notebook sees it: the API client and the server functions."""
