"""How a computer sees, hears and reads: the parts of the page."""
