"""Widgets that define: the controls of a run, and the builder of swarms. Loaded when one is first asked for."""
