"""The helpers where FEDn 0.7 and before had them."""
