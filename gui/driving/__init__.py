"""Driving a run: start, pause, one step, resume, stop. What all tabs that train have in common."""
