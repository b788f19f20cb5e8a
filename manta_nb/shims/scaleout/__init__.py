"""The packages of FEDn under the name it has since 2025: what programs of entry points import of it."""
