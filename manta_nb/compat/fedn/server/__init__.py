"""What FEDn's combiner does: choosing nodes, handing out settings, combining updates."""
