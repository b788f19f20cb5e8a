"""The helpers of FEDn under the name they have since 2025."""
