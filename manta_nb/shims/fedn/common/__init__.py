"""What all parts of FEDn share."""
