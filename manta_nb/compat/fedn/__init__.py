"""FEDn compute packages: what they are made of, how their entry points are called, how their models are combined."""
