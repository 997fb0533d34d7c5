update orders set status = 'cancelled';
