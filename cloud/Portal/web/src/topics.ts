// The pages about air, noise and traffic are drawn by the server: they need styles only.
import "./topics.css";
import "./station.css";
