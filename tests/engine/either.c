/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Of an exclusive or of truths each side tells what the other one is; of numbers it says that they differ. */

struct port {
	spinlock_t lock;
	bool up;
	bool idle;
	int level;
};

void either_is_set(struct port *port, bool quick)
{
	spin_lock(&port->lock);
	if (quick ^ !port->up) {
		if (quick && !port->up)
			msleep(1);
		if (!quick && port->up)
			msleep(2);
		if (quick && port->up)
			msleep(3); /* wrong: lock-sleep-in-atomic */
	} else if (quick && port->up) {
		msleep(4);
	} else if (!quick && !port->up) {
		msleep(5);
	} else if (quick) {
		msleep(6); /* wrong: lock-sleep-in-atomic */
	}
	spin_unlock(&port->lock);
}

void released_where_it_was_taken(struct port *port, bool quick)
{
	if (!port->up ^ !quick)
		spin_lock(&port->lock);
	msleep_unless_taken(port);
	if (!port->up ^ !quick)
		spin_unlock(&port->lock);
}

void released_where_it_was_not(struct port *port, bool quick)
{
	if (!port->up ^ quick)
		spin_lock(&port->lock);
	if (!port->up ^ !quick)
		spin_unlock(&port->lock);
	msleep(1); /* wrong: lock-sleep-in-atomic */
}

void one_of_two_numbers(struct port *port, int level)
{
	spin_lock(&port->lock);
	if (level ^ port->level) {
		if (level && port->level)
			msleep(1); /* wrong: lock-sleep-in-atomic */
	}
	spin_unlock(&port->lock);
}

void a_number_and_a_truth(struct port *port, bool quick, int level)
{
	spin_lock(&port->lock);
	if (quick ^ level) {
		if (!quick && !level)
			msleep(1);
		if (quick && level)
			msleep(2); /* wrong: lock-sleep-in-atomic */
	}
	spin_unlock(&port->lock);
}
