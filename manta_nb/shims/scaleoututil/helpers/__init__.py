"""See `fedn.utils.helpers`."""
