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

static DEFINE_MUTEX(update_lock);
enum commands { start_update = 1, next_update, end_update, reset_port };
struct command { int code; int flags; };

static void fill_command(struct command *command, u16 code)
{
	memset(command, 0, sizeof(*command));
	command->code = cpu_to_le16(code);
	command->flags = 0;
}

static void run_command(struct port *port, struct command *command)
{
	bool locked = false;

	switch (le16_to_cpu(command->code)) {
	case start_update:
	case next_update:
		break;
	case end_update:
		if (command->flags)
			break;
		fallthrough;
	default:
		mutex_lock(&update_lock);
		locked = true;
		break;
	}
	give_command(port, command);
	if (locked)
		mutex_unlock(&update_lock);
}

static void send_code(struct port *port, u16 code)
{
	struct command command;

	fill_command(&command, code);
	run_command(port, &command);
}

static void send_next(struct port *port)
{
	struct command command;

	fill_command(&command, next_update);
	command.flags |= 1;
	run_command(port, &command);
}

static void send_reset(struct port *port)
{
	struct command command;

	fill_command(&command, reset_port);
	run_command(port, &command);
}

static void send_end(struct port *port)
{
	struct command command;

	fill_command(&command, end_update);
	run_command(port, &command);
}

void update(struct port *port)
{
	mutex_lock(&update_lock);
	send_next(port);
	mutex_unlock(&update_lock);
}

void update_and_reset(struct port *port)
{
	mutex_lock(&update_lock);
	send_next(port);
	send_reset(port); /* wrong: lock-recursive-class */
	mutex_unlock(&update_lock);
}

void end_an_update(struct port *port)
{
	mutex_lock(&update_lock);
	send_end(port); /* wrong: lock-recursive-class */
	mutex_unlock(&update_lock);
}

struct event { int type; int origin; };
struct client { spinlock_t lock; bool user; };

static void deliver(struct client *client, struct event *event)
{
	if (event->type == EVENT_LONG)
		msleep(1);
}

static void bounce(struct client *client)
{
	struct event event;

	if (client->user)
		event.type = EVENT_BOUNCE;
	else
		event.type = EVENT_ERROR;
	event.origin = 1;
	deliver(client, &event);
}

static void send_back(struct client *client)
{
	struct event event;

	if (client->user)
		event.type = EVENT_BOUNCE;
	else
		event.type = EVENT_LONG;
	event.origin = 1;
	deliver(client, &event);
}

void bounce_none_that_is_long(struct client *client)
{
	spin_lock(&client->lock);
	bounce(client);
	spin_unlock(&client->lock);
}

void send_back_what_may_be_long(struct client *client)
{
	spin_lock(&client->lock);
	send_back(client); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&client->lock);
}
