"""Programs of other systems as processes: started, listened to, and ended with whoever started them."""
