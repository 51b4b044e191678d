/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests that a function fills and hands to whoever carries them out. A line that is to be found names the check. */
struct request { int command; bool nowait; int left; };
struct port { spinlock_t lock; struct completion done; };

static int carry_out(struct port *port, struct request *request)
{
	send_command(port, request->command);
	if (request->nowait)
		return 0;
	wait_for_completion(&port->done);
	return 1;
}

void send_and_go_on(struct port *port)
{
	struct request request = {};

	request.nowait = true;
	spin_lock(&port->lock);
	carry_out(port, &request);
	spin_unlock(&port->lock);
}

void send_and_wait(struct port *port)
{
	struct request request = {};

	request.nowait = false;
	spin_lock(&port->lock);
	carry_out(port, &request); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&port->lock);
}

void send_again(struct port *port)
{
	struct request request = {};

	request.nowait = true;
	prepare_request(&request);
	spin_lock(&port->lock);
	carry_out(port, &request); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&port->lock);
}

void send_the_one_or_the_other(struct port *port, bool hurry)
{
	struct request request = {};

	request.nowait = true;
	if (!hurry)
		request.nowait = false;
	spin_lock(&port->lock);
	carry_out(port, &request); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&port->lock);
}
