# For gawk in the guest: commands on one path each, again and again.
BEGIN {
	for (i = 0; i < 6; i++) {
		command = "echo " i "; exit " i
		while ((command | getline line) > 0)
			print "read", line
		print close(command)
		print "sorted " i | "cat"
		close("cat")
		print system("test " i " -eq 3")
	}
}
