"""The kernel's half of the JupyterLab extension: what its sidebar, badges and completion know of this kernel."""
