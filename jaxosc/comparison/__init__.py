"""Every description of a network side by side with the exact one."""
